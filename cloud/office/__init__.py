"""What people at headquarters do: each act is one transaction."""
