package errs

import "time"

// Patient returns the catalog, which must have partitions and not be in use, with more
// time for the answer about a partition than a slow machine takes.
func (c *Catalog) Patient() *Catalog {
	c.partitions.wait = time.Minute
	return c
}
