"""The block-data pipeline: address, linkage, fusion and the steps of a build."""
