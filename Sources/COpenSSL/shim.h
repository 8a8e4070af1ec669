/* OpenSSL 3.0, what of it is a macro, and the bytes between it and a socket. */
#ifndef FRAMESTREAMING_COPENSSL_H
#define FRAMESTREAMING_COPENSSL_H
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Memory for encrypted bytes until the kernel has them, which all sessions share: only those that have much to send hold one. */
#define FS_TLS_ROOM (160u << 10)
#define FS_TLS_ROOMS 4
typedef struct {
    pthread_mutex_t lock;
    int count;
    unsigned char *kept[FS_TLS_ROOMS];
} fs_tls_rooms;

static inline fs_tls_rooms *fs_tls_rooms_new(void) {
    fs_tls_rooms *rooms = (fs_tls_rooms *)calloc(1, sizeof *rooms);
    if (rooms != NULL) pthread_mutex_init(&rooms->lock, NULL);
    return rooms;
}

static inline unsigned char *fs_tls_room_take(fs_tls_rooms *rooms) {
    unsigned char *room = NULL;
    pthread_mutex_lock(&rooms->lock);
    if (rooms->count > 0) room = rooms->kept[--rooms->count];
    pthread_mutex_unlock(&rooms->lock);
    return room != NULL ? room : (unsigned char *)malloc(FS_TLS_ROOM);
}

static inline void fs_tls_room_give(fs_tls_rooms *rooms, unsigned char *room) {
    pthread_mutex_lock(&rooms->lock);
    if (rooms->count < FS_TLS_ROOMS) {
        rooms->kept[rooms->count++] = room;
        room = NULL;
    }
    pthread_mutex_unlock(&rooms->lock);
    free(room);
}

/* Between a session and its socket. Reads call recv, and never wait, whatever the socket's mode. Writes only collect: so a write to a
   full or broken socket cannot fail within the session, which reads on, and a peer that is gone raises no SIGPIPE. */
typedef struct {
    int fd;
    int code;     /* the errno of a recv that failed; 0 = none has */
    int ended;    /* the peer's bytes have ended */
    size_t left;  /* bytes that the call in hand may still take: the session reads on over messages without data, which a peer may
                     send without end, and a write must take none, for nobody would be told of what it took */
    fs_tls_rooms *rooms;
    unsigned char *bytes;
    size_t start, end, capacity;
} fs_tls_io;

/* More than a session ever leaves behind: a caller passes it on before it adds much. */
#define FS_TLS_MOST_COLLECTED (1u << 20)

static inline int fs_tls_io_read(BIO *bio, char *room, int count) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    ssize_t got;
    BIO_clear_retry_flags(bio);
    if (io->left == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if ((size_t)count > io->left) count = (int)io->left;
    do got = recv(io->fd, room, (size_t)count, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        io->left -= (size_t)got;
        return (int)got;
    }
    if (got == 0) io->ended = 1;
    else if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_read(bio);
    else io->code = errno;
    return got == 0 ? 0 : -1;
}

/* Gives back the memory of `io`, which has been sent or is worth nothing any more. */
static inline void fs_tls_io_empty(fs_tls_io *io) {
    if (io->capacity == FS_TLS_ROOM) fs_tls_room_give(io->rooms, io->bytes);
    else free(io->bytes);
    io->bytes = NULL;
    io->start = io->end = io->capacity = 0;
}

/* Room for `needed` bytes from the start on: a little for acknowledgements, which a session keeps, or a shared one for frames. */
static inline int fs_tls_io_grow(fs_tls_io *io, size_t needed) {
    size_t used = io->end - io->start, capacity = needed <= 4096 ? 4096 : needed <= FS_TLS_ROOM ? FS_TLS_ROOM : needed + 65536;
    unsigned char *larger = capacity == FS_TLS_ROOM ? fs_tls_room_take(io->rooms) : (unsigned char *)malloc(capacity);
    if (larger == NULL) return 0;
    if (used > 0) memcpy(larger, io->bytes + io->start, used);
    fs_tls_io_empty(io);
    io->bytes = larger;
    io->end = used;
    io->capacity = capacity;
    return 1;
}

static inline int fs_tls_io_write(BIO *bio, const char *bytes, int count) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    size_t used = io->end - io->start, needed = used + (size_t)count;
    BIO_clear_retry_flags(bio);
    if (count < 0 || needed > FS_TLS_MOST_COLLECTED) return -1;
    if (io->capacity - io->end < (size_t)count) {
        if (io->capacity < needed) {
            if (!fs_tls_io_grow(io, needed)) return -1;
        } else {
            memmove(io->bytes, io->bytes + io->start, used);
            io->start = 0;
            io->end = used;
        }
    }
    memcpy(io->bytes + io->end, bytes, (size_t)count);
    io->end += (size_t)count;
    return count;
}

static inline long fs_tls_io_control(BIO *bio, int command, long number, void *pointer) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : command == BIO_CTRL_EOF ? io->ended : 0;
}

static inline int fs_tls_io_free(BIO *bio) {
    fs_tls_io *io = (fs_tls_io *)BIO_get_data(bio);
    if (io != NULL) fs_tls_io_empty(io);
    free(io);
    BIO_set_data(bio, NULL);
    return 1;
}

static inline BIO_METHOD *fs_tls_io_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "frame-streaming");
    if (method == NULL) return NULL;
    BIO_meth_set_read(method, fs_tls_io_read);
    BIO_meth_set_write(method, fs_tls_io_write);
    BIO_meth_set_ctrl(method, fs_tls_io_control);
    BIO_meth_set_destroy(method, fs_tls_io_free);
    return method;
}

/* Gives a session its socket, which stays the caller's. NULL = there is no memory. What it returns lives as long as the session. */
static inline fs_tls_io *fs_tls_attach(SSL *ssl, const BIO_METHOD *method, fs_tls_rooms *rooms, int fd) {
    fs_tls_io *io = (fs_tls_io *)calloc(1, sizeof *io);
    BIO *bio = io == NULL ? NULL : BIO_new(method);
    if (bio == NULL) {
        free(io);
        return NULL;
    }
    io->fd = fd;
    io->rooms = rooms;
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return io;
}

static inline size_t fs_tls_collected(const fs_tls_io *io) { return io->end - io->start; }

/* Sends what was collected. 1 = all, 0 = the socket is full, -1 = it failed (errno). */
static inline int fs_tls_flush(fs_tls_io *io) {
    while (io->start < io->end) {
        ssize_t sent = send(io->fd, io->bytes + io->start, io->end - io->start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        }
        io->start += (size_t)sent;
    }
    io->start = io->end = 0;
    /* A connection that has sent all keeps no large memory. */
    if (io->capacity > 4096) fs_tls_io_empty(io);
    return 1;
}

/* Collects an alert without encryption, protocol_version, for a peer that does not speak TLS: OpenSSL says nothing to one. A plain peer
   of this package recognises TLS by it. */
static inline void fs_tls_refuse_plain(SSL *ssl) {
    static const char alert[7] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46};
    fs_tls_io_write(SSL_get_rbio(ssl), alert, sizeof alert);
}

static inline int fs_no_password(char *room, int size, int writing, void *data) {
    (void)room;
    (void)size;
    (void)writing;
    (void)data;
    return 0;
}

/* Uses a certificate, those behind it that lead to its authority, and its private key, all as PEM in memory. 1 = done, 0 = there is no
   certificate, -1 = there is no private key without a password, -2 = it is not that of the certificate. */
static inline int fs_tls_use(SSL_CTX *context, const void *certificates, int count, const void *secret, int secret_count) {
    BIO *chain = BIO_new_mem_buf(certificates, count), *bio = BIO_new_mem_buf(secret, secret_count);
    X509 *own = chain == NULL ? NULL : PEM_read_bio_X509_AUX(chain, NULL, fs_no_password, NULL), *next;
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, fs_no_password, NULL);
    int result = key == NULL ? -1 : -2;
    if (own == NULL || SSL_CTX_use_certificate(context, own) != 1) result = 0;
    else if (key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1) {
        result = 1;
        while ((next = PEM_read_bio_X509(chain, NULL, fs_no_password, NULL)) != NULL)
            if (SSL_CTX_add0_chain_cert(context, next) != 1) {
                X509_free(next);
                result = 0;
            }
        /* What ends the file is no error; a broken certificate is. */
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) result = 0;
    }
    EVP_PKEY_free(key);
    X509_free(own);
    BIO_free(bio);
    BIO_free(chain);
    return result;
}

/* Trusts the authorities in a PEM in memory, and tells peers their names, so that they can choose a certificate. 1 = done, 0 = there are
   none, or one is broken. */
static inline int fs_tls_trust(SSL_CTX *context, const void *certificates, int count) {
    BIO *bio = BIO_new_mem_buf(certificates, count);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509 *next;
    int found = 0, isWhole = bio != NULL;
    while (isWhole && (next = PEM_read_bio_X509_AUX(bio, NULL, fs_no_password, NULL)) != NULL) {
        isWhole = X509_STORE_add_cert(store, next) == 1 && SSL_CTX_add_client_CA(context, next) == 1;
        X509_free(next);
        found++;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) isWhole = 0;
    BIO_free(bio);
    return isWhole && found > 0;
}

/* Makes a P-256 key and a certificate for it that only itself vouches for, as PEM in `room`. Its dates are all that a certificate of
   today can have, because a machine may not know the date yet. The number of bytes; 0 = it failed. */
static inline int fs_tls_make_own(const char *names, unsigned char *room, int size) {
    static const struct { int kind; const char *value; } extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"}, {NID_ext_key_usage, "serverAuth"}};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    BIGNUM *number = BN_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509V3_CTX context;
    int count = 0, isFine = key != NULL && made != NULL && number != NULL && bio != NULL;
    if (isFine) {
        X509_NAME *name = X509_get_subject_name(made);
        X509V3_set_ctx(&context, made, made, NULL, NULL, 0);
        isFine = X509_set_version(made, 2) == 1 && BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1
            && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made)) != NULL
            && ASN1_TIME_set_string_X509(X509_getm_notBefore(made), "20190101000000Z") == 1
            && ASN1_TIME_set_string_X509(X509_getm_notAfter(made), "20491231235959Z") == 1
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"frame-streaming", -1, -1, 0) == 1
            && X509_set_issuer_name(made, name) == 1 && X509_set_pubkey(made, key) == 1;
        for (int i = 0; isFine && i < 3; i++) {
            X509_EXTENSION *extension = i == 2 ? X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, names)
                                               : X509V3_EXT_conf_nid(NULL, &context, extensions[i].kind, extensions[i].value);
            isFine = extension != NULL && X509_add_ext(made, extension, -1) == 1;
            X509_EXTENSION_free(extension);
        }
        isFine = isFine && X509_sign(made, key, EVP_sha256()) > 0
            && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_bio_X509(bio, made) == 1;
        if (isFine) count = BIO_read(bio, room, size);
    }
    /* The memory of a BIO is overwritten when it is freed. */
    BIO_free(bio);
    BN_free(number);
    X509_free(made);
    EVP_PKEY_free(key);
    return count > 0 && count < size ? count : 0;
}

/* The SHA-256 of this side's certificate, 32 bytes; 0 = there is none. */
static inline int fs_tls_fingerprint(SSL_CTX *context, unsigned char *room) {
    X509 *own = SSL_CTX_get0_certificate(context);
    unsigned int count = 0;
    return own != NULL && X509_digest(own, EVP_sha256(), room, &count) == 1 && count == 32;
}

/* For a browser's session: it has to prove nothing, and a new handshake costs less than tickets would. */
static inline void fs_tls_for_browser(SSL *ssl) {
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 0);
}

/* Called before anything else of OpenSSL: its cleanup at the exit would run under threads that still use it. */
static inline void fs_tls_begin(void) { OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL); }

/* What every session has in common: TLS 1.3 only, nothing early, no renegotiation, no passwords asked for at a terminal, and no groups
   by which a stranger's first message would cost much (ffdhe8192: 133 ms, X25519: 0.3 ms). */
static inline int fs_tls_prepare(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, 65536);
    SSL_CTX_set_default_passwd_cb(context, fs_no_password);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1
        && SSL_CTX_set_max_early_data(context, 0) == 1 && SSL_CTX_set_recv_max_early_data(context, 0) == 1
        /* Sessions, which a pre-shared key is one of, are of one purpose. */
        && SSL_CTX_set_session_id_context(context, (const unsigned char *)"frame-streaming", 15) == 1
        && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1;
}

static inline void fs_tls_no_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
}

/* When the first of a session's connections was made, in nanoseconds of the calendar: a ticket carries it on. 0 = not known. */
static inline long long fs_tls_session_start(SSL_SESSION *session) {
    void *bytes = NULL;
    size_t count = 0;
    long long start = 0;
    if (session != NULL && SSL_SESSION_get0_ticket_appdata(session, &bytes, &count) == 1 && count == sizeof start)
        memcpy(&start, bytes, count);
    return start;
}

static inline long long fs_tls_calendar(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int fs_tls_ticket_made(SSL *ssl, void *limit) {
    SSL_SESSION *session = SSL_get_session(ssl);
    long long now = fs_tls_calendar();
    (void)limit;
    return fs_tls_session_start(session) != 0 || SSL_SESSION_set1_ticket_appdata(session, &now, sizeof now) == 1;
}

/* A session is resumed for so long and no longer, however often its tickets were renewed: its peer has to prove itself anew. */
static inline SSL_TICKET_RETURN fs_tls_ticket_used(
    SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t count, SSL_TICKET_STATUS status, void *limit) {
    long long age = fs_tls_calendar() - fs_tls_session_start(session);
    (void)ssl;
    (void)name;
    (void)count;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
    return age >= 0 && age < (long long)(intptr_t)limit * 1000000000LL ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

/* Tickets for reconnects: one a connection, for an hour, and for `limit` seconds with all renewals. The new ones of a client go to
   `keep`. */
static inline void fs_tls_tickets(SSL_CTX *context, long limit, int (*keep)(SSL *, SSL_SESSION *)) {
    SSL_CTX_set_session_ticket_cb(context, fs_tls_ticket_made, fs_tls_ticket_used, (void *)(intptr_t)limit);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_timeout(context, 3600);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}

static inline long fs_tls_name_server(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

/* The session that a pre-shared key stands for (RFC 8446, 4.2.11): TLS_AES_128_GCM_SHA256, whose hash is SHA-256. */
static inline SSL_SESSION *fs_tls_key_session(SSL *ssl, const unsigned char *key, size_t count) {
    const unsigned char code[2] = {0x13, 0x01};
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, code);
    SSL_SESSION *session = SSL_SESSION_new();
    if (cipher != NULL && session != NULL && SSL_SESSION_set1_master_key(session, key, count) == 1
        && SSL_SESSION_set1_id_context(session, (const unsigned char *)"frame-streaming", 15) == 1
        && SSL_SESSION_set_cipher(session, cipher) == 1 && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* The first common name of a certificate, or its first DNS name, as UTF-8. The number of bytes, at most `size`; 0 = it has none. */
static inline int fs_tls_name(X509 *certificate, unsigned char *room, int size) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    int count = 0, index = subject == NULL ? -1 : X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index >= 0) {
        unsigned char *text = NULL;
        int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
        if (length > 0) {
            count = length < size ? length : size;
            memcpy(room, text, (size_t)count);
        }
        if (length >= 0) OPENSSL_free(text);
    }
    if (count == 0) {
        GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        for (int i = 0; count == 0 && names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
            if (name->type != GEN_DNS) continue;
            int length = ASN1_STRING_length(name->d.dNSName);
            count = length < size ? length : size;
            if (count > 0) memcpy(room, ASN1_STRING_get0_data(name->d.dNSName), (size_t)count);
        }
        GENERAL_NAMES_free(names);
    }
    return count;
}

/* Whether it is within its dates. */
static inline int fs_tls_is_current(X509 *certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* The first reason of the TLS library among this thread's errors, which are cleared: 0 = there is none. Other libraries number their
   reasons as they like, and so do failures of the system. */
static inline int fs_tls_take_reason(void) {
    unsigned long error;
    int reason = 0;
    while ((error = ERR_get_error()) != 0)
        if (reason == 0 && ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) < 2000) reason = ERR_GET_REASON(error);
    return reason;
}

/* Memory for a secret, on pages of its own: locked and left out of core dumps, as far as the system permits. OpenSSL's memory for
   secrets is its own: what it needs for each thread would have to fit into it, too. */
static inline void *fs_secret_new(size_t count) {
    void *bytes = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) return NULL;
    (void)mlock(bytes, count);
    (void)madvise(bytes, count, MADV_DONTDUMP);
    return bytes;
}

static inline void fs_secret_free(void *bytes, size_t count) {
    OPENSSL_cleanse(bytes, count);
    munmap(bytes, count);
}
#endif
