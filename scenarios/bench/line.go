package bench

import "math"

// Line is a straight line through measurements, by least squares: what so many
// connections cost is Fixed + Slope × connections bytes.
type Line struct {
	Fixed      float64 `json:"fixed_bytes"`
	Slope      float64 `json:"bytes_per_connection"`
	SlopeError float64 `json:"bytes_per_connection_standard_error"`

	Mean   float64 `json:"mean_connections"`        // of the measurements
	Spread float64 `json:"connections_sum_squares"` // of their distances from Mean
	Noise  float64 `json:"residual_bytes"`          // standard deviation around the line
	Count  int     `json:"measurements"`
}

// through is nil unless there are three measurements, and not all of the same
// number of connections: two points always lie on a line, and say nothing of
// its error.
func through(points []Idle) *Line {
	if len(points) < 3 {
		return nil
	}
	l := &Line{Count: len(points)}
	n, bytes := float64(len(points)), 0.0
	for _, p := range points {
		l.Mean += float64(p.Connections) / n
		bytes += p.Bytes / n
	}
	product := 0.0
	for _, p := range points {
		d := float64(p.Connections) - l.Mean
		l.Spread += d * d
		product += d * (p.Bytes - bytes)
	}
	if l.Spread == 0 {
		return nil
	}
	l.Slope = product / l.Spread
	l.Fixed = bytes - l.Slope*l.Mean
	squares := 0.0
	for _, p := range points {
		off := p.Bytes - l.Fixed - l.Slope*float64(p.Connections)
		squares += off * off
	}
	l.Noise = math.Sqrt(squares / (n - 2))
	l.SlopeError = l.Noise / math.Sqrt(l.Spread)
	return l
}

// At is what so many connections would cost, in bytes, and the standard error
// of the line there. It knows nothing of what only a crowd of that size brings.
func (l *Line) At(connections int) (bytes, standardError float64) {
	d := float64(connections) - l.Mean
	return l.Fixed + l.Slope*float64(connections), l.Noise * math.Sqrt(1/float64(l.Count)+d*d/l.Spread)
}
