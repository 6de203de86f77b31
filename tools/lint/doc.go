// Package lint pins the linters that make lint builds, in a module of its own
// so that what they depend on never enters the harness. Nothing else may live
// here.
package lint
