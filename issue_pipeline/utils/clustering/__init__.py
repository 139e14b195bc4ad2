"""HDBSCAN over sentence embeddings, raw or smoothed, and what is measured of its clusters."""

from issue_pipeline.utils.clustering.api import MODES as MODES
from issue_pipeline.utils.clustering.api import Clustering as Clustering
from issue_pipeline.utils.clustering.api import cluster_embeddings as cluster_embeddings
from issue_pipeline.utils.clustering.api import largest_first as largest_first
from issue_pipeline.utils.clustering.posts import cluster_posts as cluster_posts
from issue_pipeline.utils.clustering.quality import ClusterQuality as ClusterQuality
from issue_pipeline.utils.clustering.quality import centroid_distances as centroid_distances
from issue_pipeline.utils.clustering.quality import cluster_quality as cluster_quality
from issue_pipeline.utils.clustering.quality import outlier_ratio as outlier_ratio
from issue_pipeline.utils.clustering.tree import NOISE as NOISE
from issue_pipeline.utils.clustering.tree import ClusterIds as ClusterIds
