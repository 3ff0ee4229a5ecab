"""Information-theoretic estimators with the interface of scikit-learn."""

from skinfo import datasets, inspection
from skinfo.compression._artifact import load_compressed
from skinfo.compression._bounds import (
    gaussian_distortion_rate,
    gaussian_rate_distortion,
)
from skinfo.compression._compress import compress
from skinfo.compression._quantization import weighted_kmeans_1d
from skinfo.compression._rd_compressor import RDCompressor
from skinfo.dependence._conditional import conditional_mutual_information
from skinfo.dependence._hypercontractivity import (
    hypercontractivity,
    hypercontractivity_discrete,
    maximal_correlation,
)
from skinfo.dependence._hypercontractivity_coef import HypercontractivityCoef
from skinfo.dependence._independence import independence_test
from skinfo.dependence._interval import mutual_information_interval
from skinfo.dependence._mixed_mutual_info import MixedMutualInfo
from skinfo.dependence._mutual_info import (
    mixed_mutual_info,
    mutual_information,
    pointwise_mutual_information,
)
from skinfo.dependence._pairwise import pairwise_dependence
from skinfo.dependence._tree import ChowLiuTree
from skinfo.score_functions._densities import GaussianMixtureScore, GaussianScore
from skinfo.score_functions._local_likelihood import LocalLikelihoodScore
from skinfo.score_functions._score_function_loss import ScoreFunctionLoss

__version__ = "0.1.0"

__all__ = [
    "ChowLiuTree",
    "GaussianMixtureScore",
    "GaussianScore",
    "HypercontractivityCoef",
    "LocalLikelihoodScore",
    "MixedMutualInfo",
    "RDCompressor",
    "ScoreFunctionLoss",
    "__version__",
    "compress",
    "conditional_mutual_information",
    "datasets",
    "gaussian_distortion_rate",
    "gaussian_rate_distortion",
    "hypercontractivity",
    "hypercontractivity_discrete",
    "independence_test",
    "inspection",
    "load_compressed",
    "maximal_correlation",
    "mixed_mutual_info",
    "mutual_information",
    "mutual_information_interval",
    "pairwise_dependence",
    "pointwise_mutual_information",
    "weighted_kmeans_1d",
]
