"""Ray: the cluster with its nodes and cards, the process that trains a trial, the schedulers, and Tune's loop."""
