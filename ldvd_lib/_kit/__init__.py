"""Tools that know nothing of video GANs: files, checks of arguments, tables, drawing, configuration."""
