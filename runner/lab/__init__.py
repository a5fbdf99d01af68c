"""A lab behind a queue: Slurm's configuration, submissions, and their shares.

The queue is Slurm on a gateway, one node per board through several slurmd there, and nothing
on the boards. It may forget a job, or start one twice: what is run once is decided by the
folder of a submission on the gateway, and by the hold on the board itself.
"""
