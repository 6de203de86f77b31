module example.org/edge

go 1.26
