"""Pictures of fitted estimators, in the manner of scikit-learn's displays."""

from skinfo.inspection._dependence import DependenceDisplay

__all__ = ["DependenceDisplay"]
