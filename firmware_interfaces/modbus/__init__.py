"""Doors behind Modbus RTU input and output boards: strike, door contact, exit button."""
