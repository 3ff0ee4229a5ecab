"""Pictures of fitted estimators, in the manner of scikit-learn's displays."""

from skinfo.inspection._dependence import DependenceDisplay
from skinfo.inspection._pairwise import PairwiseDependenceDisplay
from skinfo.inspection._rate_distortion import RateDistortionDisplay
from skinfo.inspection._tilt import TiltDisplay
from skinfo.inspection._tree import ChowLiuTreeDisplay

__all__ = [
    "ChowLiuTreeDisplay",
    "DependenceDisplay",
    "PairwiseDependenceDisplay",
    "RateDistortionDisplay",
    "TiltDisplay",
]
