package model

// Times are the texts that RFC 3339 defines, with at most nanoseconds and without leap seconds.
// The accessors read the same ones.
var Times = func() *Pattern {
	const (
		long   = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
		short  = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
		early  = "02-(?:0[1-9]|1[0-9]|2[0-8])"
		leap   = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
		date   = "(?:[0-9]{4}-(?:" + long + "|" + short + "|" + early + ")|" + leap + ")"
		minute = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
	)
	p, err := NewPattern(date + "T" + minute + ":[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-]" + minute + ")")
	if err != nil {
		panic(err) // the expression is a constant
	}
	return p
}()
