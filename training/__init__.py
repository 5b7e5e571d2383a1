"""Trains the onset network and fits the decision; not installed for users.

pip install -e '.[training]'
python -m training.network --help
python -m training.decision --help
"""
