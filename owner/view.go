package owner

type view struct{ grouped bool }

func (t *table) grouped() bool { return t.view != nil && t.view.grouped }

func (s *statement) fromView(*query) {}
