package detect

// Hasten makes commands take turns ten times as fast.
func (d *Detector) Hasten() {
	d.pace = pace{d.pace.patience / 10, d.pace.ownTime / 10, d.pace.partialInterval / 10}
}

// Remembered returns the number of answers that a Memory holds.
func Remembered(m *Memory) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.answers)
}
