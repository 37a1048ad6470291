package metadata

// MustCheck reports whether a command must run to verify the runtime.
func (v Verification) MustCheck() bool { return !v.AlwaysAvailable && v.CheckRequiredOrDefault() }
