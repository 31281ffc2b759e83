"""``python -m chengshu``: the command line."""

from chengshu.site.cli import main

main()
