//! The tables as both databases have them. Written by hand beside `migrations/`; used by every `queries.rs`.

#![expect(missing_docs, reason = "a column is documented where the migration makes it")]

diesel::table! {
    forms (slug) { slug -> Text, title -> Text, created_at -> BigInt, }
}

diesel::table! {
    notices (id) {
        id -> Binary,
        form -> Text,
        language -> Text,
        wording -> Text,
        sha256 -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    signups (id) {
        id -> Binary,
        state -> Text,
        email -> Text,
        form -> Text,
        notice_id -> Binary,
        language -> Text,
        details -> Text,
        client_hash -> Nullable<Binary>,
        created_at -> BigInt,
        address_hash -> Nullable<Binary>,
        triaged_at -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        supporter_id -> Nullable<Binary>,
    }
}

diesel::table! {
    supporters (number) {
        number -> BigInt,
        id -> Binary,
        email -> Text,
        email_key -> Text,
        address_hash -> Binary,
        status -> Text,
        suppression_reason -> Nullable<Text>,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        phone -> Nullable<Text>,
        phone_consent -> Bool,
        postal_code -> Nullable<Text>,
        region -> Nullable<Text>,
        country -> Nullable<Text>,
        language -> Text,
        involvement -> Text,
        form -> Text,
        notice_id -> Binary,
        source_code -> Nullable<Text>,
        source_group -> Nullable<Text>,
        source_page -> Nullable<Text>,
        utm_source -> Nullable<Text>,
        utm_medium -> Nullable<Text>,
        utm_campaign -> Nullable<Text>,
        word_1 -> Nullable<Text>,
        word_2 -> Nullable<Text>,
        word_3 -> Nullable<Text>,
        word_4 -> Nullable<Text>,
        word_5 -> Nullable<Text>,
        word_6 -> Nullable<Text>,
        domain -> Nullable<Text>,
        link_version -> Integer,
        voided_at -> Nullable<BigInt>,
        signed_up_at -> BigInt,
        confirmed_at -> BigInt,
        unsubscribed_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        paused_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    suppressions (address_hash) { address_hash -> Binary, reason -> Text, created_at -> BigInt, }
}

diesel::table! {
    mail_limits (address_hash) {
        address_hash -> Binary,
        newest -> BigInt,
        second -> Nullable<BigInt>,
        third -> Nullable<BigInt>,
    }
}

diesel::table! {
    outbox (id) {
        id -> Binary,
        template -> Text,
        subject_id -> Binary,
        address -> Text,
        state -> Text,
        attempts -> Integer,
        due_at -> BigInt,
        lease -> Nullable<Binary>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    staff (id) {
        id -> Binary,
        email -> Text,
        email_key -> Text,
        password_hash -> Text,
        role -> Text,
        created_at -> BigInt,
        group_id -> Nullable<Binary>,
        link_version -> Integer,
        invited_at -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        last_login_at -> Nullable<BigInt>,
        totp_nonce -> Nullable<Binary>,
        totp_pending -> Nullable<Binary>,
        totp_step -> Nullable<BigInt>,
    }
}

diesel::table! {
    staff_recovery_codes (staff_id, code_hash) { staff_id -> Binary, code_hash -> Binary, }
}

diesel::table! {
    staff_sessions (token_hash) {
        token_hash -> Binary,
        id -> Binary,
        staff_id -> Binary,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        browser -> Text,
        renew -> Bool,
    }
}

diesel::table! {
    login_attempts (attempt_key) {
        attempt_key -> Binary,
        failures -> Integer,
        last_at -> BigInt,
        refused_until -> BigInt,
    }
}

diesel::table! {
    settings (name) { name -> Text, value -> Text, updated_at -> BigInt, }
}

diesel::table! {
    staff_tokens (id) {
        id -> Binary,
        token_hash -> Binary,
        staff_id -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        group_id -> Nullable<Binary>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    exports (id) {
        id -> Binary,
        staff_id -> Nullable<Binary>,
        taken_by -> Text,
        group_id -> Nullable<Binary>,
        format -> Text,
        preset -> Text,
        purpose -> Text,
        filter -> Text,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        row_count -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    periodic_jobs (name) { name -> Text, begun_at -> BigInt, }
}

diesel::table! {
    groups (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        kind -> Text,
        website -> Text,
        regions -> Text,
        sectors -> Text,
        about -> Text,
        contact_name -> Text,
        contact_email -> Text,
        contact_email_key -> Text,
        status -> Text,
        is_listed -> Bool,
        language -> Text,
        terms_id -> Binary,
        created_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
        left_at -> Nullable<BigInt>,
        updated_at -> BigInt,
        contact_hash -> Nullable<Binary>,
        question -> Nullable<Text>,
        reason -> Nullable<Text>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    group_logos (group_id) { group_id -> Binary, png -> Binary, sha256 -> Text, updated_at -> BigInt, }
}

diesel::table! {
    form_groups (form, position) { form -> Text, position -> Integer, group_id -> Binary, }
}
diesel::table! {
    form_fields (form, position) { form -> Text, position -> Integer, field_number -> BigInt, }
}

diesel::table! {
    shares (id) {
        id -> Binary,
        supporter_number -> BigInt,
        group_id -> Binary,
        notice_id -> Binary,
        signup_id -> Nullable<Binary>,
        given_at -> BigInt,
        withdrawn_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    tags (number) { number -> BigInt, slug -> Text, created_at -> BigInt, }
}

diesel::table! {
    supporter_notes (id) {
        id -> Binary,
        supporter_number -> BigInt,
        author_id -> Binary,
        text -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    supporter_aliases (id) {
        id -> Binary,
        supporter_number -> BigInt,
        number -> BigInt,
        address_hash -> Binary,
        link_version -> Integer,
        survivor_version -> Integer,
        created_at -> BigInt,
        address_sha256 -> Nullable<Binary>,
    }
}

diesel::table! {
    segments (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        query -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    fields (number) {
        number -> BigInt,
        slug -> Text,
        label -> Text,
        kind -> Text,
        choices -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    supporter_fields (supporter_number, field_number) {
        field_number -> BigInt,
        supporter_number -> BigInt,
        value -> Text,
        rank -> Nullable<Double>,
    }
}

diesel::table! {
    tag_operations (id) {
        id -> Binary,
        tag_number -> BigInt,
        adds -> Bool,
        query -> Text,
        staff_id -> Nullable<Binary>,
        token_id -> Nullable<Binary>,
        done_up_to -> BigInt,
        changed -> BigInt,
        started_at -> BigInt,
        touched_at -> BigInt,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    supporter_tags (tag_number, supporter_number) { tag_number -> BigInt, supporter_number -> BigInt, created_at -> BigInt, }
}

diesel::table! {
    audit_entries (number) {
        number -> BigInt,
        at -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Binary>,
        token_id -> Nullable<Binary>,
        action -> Text,
        subject_kind -> Nullable<Text>,
        subject_id -> Nullable<Binary>,
        details -> Text,
        mac -> Binary,
    }
}

diesel::table! {
    audit_head (id) { id -> Integer, number -> BigInt, mac -> Binary, }
}

diesel::table! {
    audit_checkpoint (id) { id -> Integer, number -> BigInt, mac -> Binary, made_at -> BigInt, seal -> Binary, }
}

diesel::table! {
    export_members (export_id, piece, block) {
        export_id -> Binary,
        piece -> Integer,
        block -> BigInt,
        members -> Binary,
    }
}

diesel::table! {
    recalls (group_id, number) {
        group_id -> Binary,
        number -> BigInt,
        supporter_id -> Binary,
        address_sha256 -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    recall_heads (group_id) {
        group_id -> Binary,
        number -> BigInt,
        acknowledged -> BigInt,
        expired -> BigInt,
        acknowledged_at -> Nullable<BigInt>,
        departing_after -> Nullable<BigInt>,
    }
}

diesel::table! {
    group_webhooks (group_id) {
        group_id -> Binary,
        url -> Text,
        secret_version -> Integer,
        created_at -> BigInt,
        due_at -> BigInt,
        lease -> Nullable<Binary>,
        attempts -> Integer,
        failing_since -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        given_up_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    imports (id) {
        id -> Binary,
        state -> Text,
        staff_id -> Nullable<Binary>,
        file_name -> Text,
        file_bytes -> BigInt,
        file_hash -> Nullable<Binary>,
        is_stored -> Bool,
        layout -> Text,
        mapping -> Text,
        options -> Text,
        preview -> Text,
        notice_id -> Nullable<Binary>,
        line -> BigInt,
        byte_offset -> BigInt,
        created -> BigInt,
        updated -> BigInt,
        unchanged -> BigInt,
        invited -> BigInt,
        refused -> BigInt,
        left_out -> BigInt,
        next_invite_at -> BigInt,
        lease -> Nullable<Binary>,
        leased_until -> BigInt,
        fault -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        erased_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    import_chunks (import_id, piece) { import_id -> Binary, piece -> Integer, bytes -> Binary, }
}

diesel::table! {
    import_refusals (import_id, line) {
        import_id -> Binary,
        line -> BigInt,
        is_refused -> Bool,
        reasons -> Text,
        cells -> Text,
        address_hash -> Nullable<Binary>,
    }
}

diesel::table! {
    counts (dimension, key, slot) { dimension -> Text, key -> Text, slot -> BigInt, amount -> BigInt, }
}

diesel::table! {
    count_deltas (number) {
        number -> BigInt,
        dimension -> Text,
        key -> Text,
        slot -> BigInt,
        amount -> BigInt,
    }
}

diesel::joinable!(staff_sessions -> staff (staff_id));
diesel::joinable!(staff_tokens -> staff (staff_id));
diesel::joinable!(shares -> groups (group_id));
diesel::joinable!(group_logos -> groups (group_id));
diesel::joinable!(supporter_tags -> tags (tag_number));
diesel::joinable!(supporter_fields -> fields (field_number));
diesel::joinable!(tag_operations -> tags (tag_number));
diesel::joinable!(export_members -> exports (export_id));
diesel::allow_tables_to_appear_in_same_query!(
    fields,
    segments,
    supporter_aliases,
    supporter_fields,
    supporter_notes,
    tag_operations,
    forms,
    notices,
    signups,
    supporters,
    suppressions,
    mail_limits,
    outbox,
    staff,
    staff_recovery_codes,
    staff_sessions,
    staff_tokens,
    exports,
    groups,
    group_logos,
    form_groups,
    form_fields,
    shares,
    tags,
    supporter_tags,
    audit_checkpoint,
    audit_entries,
    audit_head,
    export_members,
    recalls,
    recall_heads,
    group_webhooks
);
