module example.org/rolling-restart

go 1.26
