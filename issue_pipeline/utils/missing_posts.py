"""From how many missing posts on a reply is held to be incomplete rather than believed."""

# Up to so many may always be missing: on a small day a tenth is less than one post.
FEW = 5
SHARE = 0.1


def too_many_missing(missing: int, known: int) -> bool:
    """Return whether so many posts are too many to have vanished by themselves.

    Args:
        missing: Posts that were known and are not given any more.
        known: All posts that were known.

    Returns:
        ``True`` if more than five and more than a tenth are missing.
    """
    return missing > FEW and missing > SHARE * known
