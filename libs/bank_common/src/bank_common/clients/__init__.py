"""Clients that several programs open in one way: the object store's, the warehouse's."""
