"""Information-theoretic estimators with the interface of scikit-learn."""

from skinfo import datasets, inspection
from skinfo.compression._compress import compress
from skinfo.compression._rd_compressor import RDCompressor
from skinfo.compression.distortion._gaussian_bounds import (
    gaussian_distortion_rate,
    gaussian_rate_distortion,
)
from skinfo.compression.file._file import load_compressed
from skinfo.compression.kmeans._kmeans_1d import weighted_kmeans_1d
from skinfo.dependence._conditional import conditional_mutual_information
from skinfo.dependence._hypercontractivity import (
    hypercontractivity,
    hypercontractivity_discrete,
    maximal_correlation,
)
from skinfo.dependence._mutual_info import (
    mutual_information,
    pointwise_mutual_information,
)
from skinfo.dependence.inference._independence import independence_test
from skinfo.dependence.inference._interval import mutual_information_interval
from skinfo.dependence.inference._pairwise import pairwise_dependence
from skinfo.dependence.inference._tree import ChowLiuTree
from skinfo.dependence.selection._hypercontractivity_coef import HypercontractivityCoef
from skinfo.dependence.selection._mixed_mutual_info import (
    MixedMutualInfo,
    mixed_mutual_info,
)
from skinfo.score_functions._score_function_loss import ScoreFunctionLoss
from skinfo.score_functions.densities._gaussian import (
    GaussianMixtureScore,
    GaussianScore,
)
from skinfo.score_functions.densities._local_likelihood import LocalLikelihoodScore

__version__ = "0.2.0.dev0"

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
