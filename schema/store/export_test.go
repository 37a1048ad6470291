package store

// HashedLabels lets tests with small fleets have labels that more workers have than one statement reads at once.
var HashedLabels = &hashedLabels
