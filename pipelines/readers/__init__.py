"""How delivered files become batches of delivered text: one reader a format, one kind of batch."""
