"""The CDK application: everything that runs in the cloud, and the table it is made from."""
