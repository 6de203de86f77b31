package usl

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A vector holds α, β and γ, or what belongs to each.
type (
	vector [3]float64
	matrix [3]vector
)

func law(p vector, n float64) float64 {
	return p[2] * n / (1 + p[0]*(n-1) + p[1]*n*(n-1))
}

// gradient is by how much the law changes at n with each parameter.
func gradient(p vector, n float64) vector {
	d := 1 + p[0]*(n-1) + p[1]*n*(n-1)
	x := p[2] * n / d
	return vector{-x * (n - 1) / d, -x * n * (n - 1) / d, n / d}
}

// Fit finds the law with the least sum of squares among those with no parameter
// below 0 (Levenberg and Marquardt). Errors wrap ErrFit.
func Fit(points []Point) (*Law, error) {
	if err := check(points); err != nil {
		return nil, err
	}
	p, err := begin(points)
	if err != nil {
		return nil, err
	}
	damping, sum := 1e-3, squares(p, points)
	for range 500 {
		normal, down := equations(p, points)
		step, ok := solve(damped(normal, damping), down)
		if !ok {
			damping *= 10
			continue
		}
		next := add(p, step)
		if s := squares(next, points); s <= sum {
			done := sum-s <= 1e-14*sum
			p, sum, damping = next, s, max(damping/10, 1e-12)
			if done {
				return finish(p, sum, points)
			}
			continue
		}
		if damping *= 10; damping > 1e12 {
			return finish(p, sum, points)
		}
	}
	return nil, fmt.Errorf("%w: no end after 500 steps", ErrFit)
}

// begin solves the law as a line in its parameters, N/X = (1 + α(N−1) +
// βN(N−1))/γ, which is near enough to begin from.
func begin(points []Point) (vector, error) {
	a, b := mat.NewDense(len(points), 3, nil), mat.NewVecDense(len(points), nil)
	most := 0.0
	for i, p := range points {
		a.SetRow(i, []float64{1, p.N - 1, p.N * (p.N - 1)})
		b.SetVec(i, p.N/p.X)
		most = max(most, p.X/p.N)
	}
	var c mat.VecDense
	if err := c.SolveVec(a, b); err != nil {
		return vector{}, fmt.Errorf("%w: %w", ErrFit, err)
	}
	if g := c.AtVec(0); g > 0 {
		return vector{max(0, c.AtVec(1)/g), max(0, c.AtVec(2)/g), 1 / g}, nil
	}
	return vector{0.01, 0.0001, most}, nil
}

// add takes a step and stays where no parameter is below 0.
func add(p, step vector) vector {
	for i := range p {
		p[i] = max(0, p[i]+step[i])
	}
	return p
}

func squares(p vector, points []Point) (sum float64) {
	for _, one := range points {
		sum += (one.X - law(p, one.N)) * (one.X - law(p, one.N))
	}
	return sum
}

// equations gives the normal equations JᵀJ and Jᵀr at p. A parameter that the
// bound holds at 0 is left out: its row says that it stays.
func equations(p vector, points []Point) (normal matrix, down vector) {
	for _, one := range points {
		g, r := gradient(p, one.N), one.X-law(p, one.N)
		for i := range g {
			down[i] += g[i] * r
			for j := range g {
				normal[i][j] += g[i] * g[j]
			}
		}
	}
	for i := range p {
		if p[i] == 0 && down[i] < 0 {
			for j := range p {
				normal[i][j], normal[j][i] = 0, 0
			}
			normal[i][i], down[i] = 1, 0
		}
	}
	return normal, down
}

func damped(m matrix, by float64) matrix {
	for i := range m {
		m[i][i] *= 1 + by
	}
	return m
}

func dense(m matrix) *mat.Dense {
	d := mat.NewDense(3, 3, nil)
	for i := range m {
		d.SetRow(i, m[i][:])
	}
	return d
}

// scale brings the parameters to one size: β is often a million times below γ.
func scale(m matrix) (vector, matrix) {
	var s vector
	for i := range m {
		s[i] = math.Sqrt(max(m[i][i], math.SmallestNonzeroFloat64))
	}
	for i := range m {
		for j := range m {
			m[i][j] /= s[i] * s[j]
		}
	}
	return s, m
}

func solve(m matrix, b vector) (x vector, ok bool) {
	s, m := scale(m)
	for i := range b {
		b[i] /= s[i]
	}
	var out mat.VecDense
	if err := out.SolveVec(dense(m), mat.NewVecDense(3, b[:])); err != nil {
		return x, false
	}
	for i := range x {
		x[i] = out.AtVec(i) / s[i]
	}
	return x, true
}

// finish gives the law with its errors.
func finish(p vector, sum float64, points []Point) (*Law, error) {
	l := &Law{Freedom: len(points) - 3}
	normal, _ := equations(p, points)
	s, scaled := scale(normal)
	var inverse mat.Dense
	if err := inverse.Inverse(dense(scaled)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFit, err)
	}
	variance, mean, total := sum/float64(l.Freedom), 0.0, 0.0
	for i := range l.cov {
		for j := range l.cov {
			l.cov[i][j] = variance * inverse.At(i, j) / (s[i] * s[j])
		}
		if p[i] == 0 { // held by the bound: its own scatter is not known
			l.cov[i] = vector{}
		}
	}
	for _, one := range points {
		mean += one.X / float64(len(points))
	}
	for _, one := range points {
		total += (one.X - mean) * (one.X - mean)
	}
	for i, to := range []*Parameter{&l.Contention, &l.Coherency, &l.One} {
		*to = Parameter{Value: p[i], Error: math.Sqrt(max(0, l.cov[i][i]))}
	}
	l.Residual = math.Sqrt(variance)
	if total > 0 {
		l.R2 = 1 - sum/total
	}
	return l, nil
}
