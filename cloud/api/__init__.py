"""The REST interface: orders in, verdicts, books and statements out."""
