"""Ten cities' worth of data, one made-up city at a time, and what checking it costs."""
