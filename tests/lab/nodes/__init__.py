"""Labs of nodes: containers, their network, their services, what can be broken in them."""
