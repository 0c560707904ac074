"""Ray: the actor, the schedulers, the cluster, its cards and nodes."""
