"""Hosts by name: our own hosts.yaml, or an Ansible inventory, as `ansible-inventory` has it.

A name that is in no inventory stands for itself: `local` is this machine, any
other name is given to ssh as it is, so that ~/.ssh/config goes on working.
"""

from runner.specfile.inventory.entry import HostEntry
from runner.specfile.inventory.groups import Inventory
from runner.specfile.inventory.reading import find_inventory, load, parse_inventory

__all__ = ["HostEntry", "Inventory", "find_inventory", "load", "parse_inventory"]
