import HTTPApplication
import Synchronization

/// What a driver has learnt of its Tryton: the session it works in, and what the installation has.
///
/// Each driver has its own, unless several are made for the same user of the same Tryton: a log-in costs Tryton a slow hash.
final class Acquaintance: Sendable {
    struct Session: Sendable, Hashable {
        var user: Int64
        var header: HTTPCall.Header
    }

    private struct State {
        var session: Session?
        var profile: Profile?
        var sentences: [Sentence] = []
    }

    /// Closing one of the drivers does not end the session.
    let isShared: Bool
    private let state = Mutex(State())

    init(isShared: Bool = false) { self.isShared = isShared }

    var session: Session? {
        get { state.withLock { $0.session } }
        set { state.withLock { $0.session = newValue } }
    }

    /// Tryton's messages, where it does not answer in English.
    var sentences: [Sentence] {
        get { state.withLock { $0.sentences } }
        set { state.withLock { $0.sentences = newValue } }
    }

    var profile: Profile? {
        get { state.withLock { $0.profile } }
        set { state.withLock { $0.profile = newValue } }
    }
}
