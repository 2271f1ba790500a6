package brokenbank

// A Fault is something that is wrong with the bank.
type Fault string

// The faults, with the rule of probe that finds each.
const (
	None                 Fault = ""
	ReadUnscoped         Fault = "F01" // RKP02: GET account of anybody
	PatchUnscoped        Fault = "F02" // RKP03: PATCH account of anybody
	DeleteHidden         Fault = "F03" // RKP03: DELETE deletes a stranger's account and answers 404
	DepositUnscoped      Fault = "F04" // RKP03: deposit into a stranger's account
	TransferFromStranger Fault = "F05" // RKP04: the account in the body may be a stranger's
	ListAll              Fault = "F06" // RKP05: the list has everybody's accounts
	FilterUnscoped       Fault = "F07" // RKP05: transfers of a stranger's account
	CursorOfOther        Fault = "F08" // RKP05: a cursor carries the owner
	Existence            Fault = "F09" // RKP06: 403 for a stranger's account, 404 for none
	BalanceAtCreate      Fault = "F10" // RKP07: the client sets the balance
	OwnerByPatch         Fault = "F11" // RKP07: the client gives its account away
	TokenHashShown       Fault = "F12" // RKP08: the row as it is
	TransfersOpen        Fault = "F13" // RKP01: transfers without a credential
	TokenPrefix          Fault = "F14" // RKP01: the beginning of the token is enough
	BadUUID              Fault = "F15" // RKP09: 500 for an id that is no UUID
	NULInName            Fault = "F16" // RKP09: 500 for a NUL character
	BigAmount            Fault = "F17" // RKP09: 500 for an amount beyond the column
	NegativeAmount       Fault = "F18" // RKP10: a deposit may be negative
	LongName             Fault = "F19" // RKP10: a name may be longer than declared
	SQLStateShown        Fault = "F20" // RKP11: the text of the database's error
	DepositRace          Fault = "F21" // RKP12: read, compute, write
	WithdrawRace         Fault = "F22" // RKP13: check, then take
	NameRace             Fault = "F23" // RKP14: check, then insert, without a unique key
	NameCrash            Fault = "F24" // RKP14: the violation of the unique key is a 500
	NoRetry              Fault = "F25" // RKP15: SERIALIZABLE without retry
	KeyIgnored           Fault = "F26" // RKP16: the Idempotency-Key does nothing
	KeyWithoutOwner      Fault = "F27" // RKP16: one key for all principals
	KeyOtherBody         Fault = "F28" // RKP16: the key does not cover the body
	IfMatchIgnored       Fault = "F29" // RKP17: a stale write succeeds
	DebitKept            Fault = "F30" // RKP18: 422 after the debit was committed
)

// A Trap is something right that looks wrong.
type Trap string

// The traps, beside a public collection, which the bank always has.
const (
	NoTrap     Trap = ""
	ErrorIn200 Trap = "200 with an error body"
	Honest503  Trap = "503 with Retry-After"
)
