// Package rowkeeper is the overview of three packages.
package rowkeeper
