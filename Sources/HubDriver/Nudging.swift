/// Capture that pauses between looks, and can be told that there is something new.
///
/// Who tells it (an application's web hook) may be wrong, late or silent: nothing may depend on it but how soon the next look begins.
public protocol Nudgeable: Capturing {
    /// Ends the pause before the next look; one that is under way goes on as it is. Must not block.
    func nudge()
}
