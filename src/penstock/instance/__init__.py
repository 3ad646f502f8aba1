"""The instance: `penstock.yaml` as typed settings, the components that it names, and the processes made of them."""
