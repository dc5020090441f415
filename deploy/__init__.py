"""How Buurtbode is deployed: the cluster's topics and users, and everything on one machine."""
