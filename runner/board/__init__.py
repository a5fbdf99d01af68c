"""A virtual Arm board: an arm64 Debian machine under QEMU, reached over ssh like any other.

    recipe    what goes into the image: packages and files              pure
    image     recipe → kernel, disk, first roots in a content-addressed cache
    initrd    the first root, as bytes                                  pure
    names     the boards, as data; some need no configuration           pure
    command   board → QEMU's arguments, the kernel's command line       pure
    keeper    the process that starts QEMU, again after a reboot
    qemu      start, attach, end
    snapshot  the booted machine, kept for the next start
    registry  which boards run; found again after a killed controller

Nothing here prints: progress goes to a function that is handed in.
"""
