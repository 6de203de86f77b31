package transport

// warm opens a connection when there is none.
func (m *mux) warm() opening {
	m.mu.Lock()
	if m.closed || len(m.conns)+len(m.dials) > 0 || !m.room() {
		m.mu.Unlock()
		return unneeded
	}
	d, done := &muxDial{room: m.typical}, make(chan struct{})
	m.dials = append(m.dials, d)
	m.work.Go(func() {
		defer close(done)
		m.open(d)
	})
	m.mu.Unlock()
	<-done
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.err != nil {
		return refused
	}
	return opened
}
