"""Documents typeset by typst, in a process of their own that can read nothing but what it is handed."""
