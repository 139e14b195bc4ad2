"""HDBSCAN over sentence embeddings, raw or smoothed, and what is measured of its clusters."""

from issue_pipeline.utils.clustering.clustering import MODES as MODES
from issue_pipeline.utils.clustering.clustering import NOISE as NOISE
from issue_pipeline.utils.clustering.clustering import Clustering as Clustering
from issue_pipeline.utils.clustering.clustering import ClusterQuality as ClusterQuality
from issue_pipeline.utils.clustering.clustering import Labels as Labels
from issue_pipeline.utils.clustering.clustering import centroid_distances as centroid_distances
from issue_pipeline.utils.clustering.clustering import cluster_embeddings as cluster_embeddings
from issue_pipeline.utils.clustering.clustering import cluster_quality as cluster_quality
from issue_pipeline.utils.clustering.clustering import largest_first as largest_first
from issue_pipeline.utils.clustering.clustering import outlier_ratio as outlier_ratio
