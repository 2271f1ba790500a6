package owner

type grant struct{}

func (s *statement) orGranted(*query) {}
