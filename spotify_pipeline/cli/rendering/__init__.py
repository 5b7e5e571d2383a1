"""What a person sees of results, and what a program reads of them; arguments are elsewhere."""
