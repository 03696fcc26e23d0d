"""Card readers behind Wiegand-to-serial converters."""
