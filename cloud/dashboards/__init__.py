"""Headquarters' web pages: which promised steps were proven, and what each worker earned."""
