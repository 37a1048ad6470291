package metadata

// MustCheck reports whether something has to be run to know that the runtime
// is there.
func (v Verification) MustCheck() bool { return !v.AlwaysAvailable && v.CheckRequiredOrDefault() }
