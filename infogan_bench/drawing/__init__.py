"""Images that are drawn here: the same bytes on every machine, made once by all cores and then kept in a cache.

`drawn(draw, parameters, name, version)` gives the images. This room needs neither torch nor the data sets.
"""

from infogan_bench.drawing.cache import cached_file, drawn

__all__ = ["cached_file", "drawn"]
