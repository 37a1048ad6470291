// Package detect finds which runtimes a host really has. One detector serves
// worker and sensor: it answers by environment, then by config, then by
// verifying every definition on the host. It knows no SQL.
package detect
