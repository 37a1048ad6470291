package detect

// Hasten has what takes turns do so ten times as fast.
func (d *Detector) Hasten() {
	d.pace.patience, d.pace.ownTime, d.pace.soFar = d.pace.patience/10, d.pace.ownTime/10, d.pace.soFar/10
}
