"""One trial on a host: workload, load, faults, spool, and the process that outlives the link."""
