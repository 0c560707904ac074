"""The private parts of torch that this project uses, with the reason and what breaks without them.

`tests/test_private_parts.py` holds the list, and fails where a version of torch takes one away; the upper bound in
pyproject.toml keeps such a version out until then.
"""

from __future__ import annotations

from torch import Tensor
from torch._C._functorch import is_batchedtensor


def is_under_vmap(tensor: Tensor) -> bool:
    """Return whether `vmap` runs over a dimension of the tensor that the tensor itself does not show.

    torch has no public function for this. Without it, a convolution could not tell stacked weights from weights that
    all replicas share, and fused seeds would run cuDNN's slow kernels of many groups.
    """
    return bool(is_batchedtensor(tensor))
